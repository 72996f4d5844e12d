"""Hold second factors: a file each, whose name is the kind. A file has `Settings` and `build`."""
