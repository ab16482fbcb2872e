// EventSources: see its files.
