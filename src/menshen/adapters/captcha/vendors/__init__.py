"""Hold captcha vendors: a file each, whose name is the `type` in the settings. A file has `Settings` and `build`."""
