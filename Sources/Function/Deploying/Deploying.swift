// Deploying: see its files.
