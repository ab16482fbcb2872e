// The first file of Packing: replaced by its owner.
