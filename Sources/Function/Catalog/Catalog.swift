// Catalog: see its files.
