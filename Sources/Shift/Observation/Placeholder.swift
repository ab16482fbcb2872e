// The first file of Observation: replaced by its owner.
