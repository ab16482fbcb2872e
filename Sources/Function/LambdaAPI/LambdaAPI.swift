// LambdaAPI: see its files.
