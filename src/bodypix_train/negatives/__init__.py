"""Pictures without people, made of files of free-software packages."""
