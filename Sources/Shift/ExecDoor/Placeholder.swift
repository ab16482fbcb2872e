// The first file of ExecDoor: replaced by its owner.
