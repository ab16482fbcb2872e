// The first file of Planning: replaced by its owner.
