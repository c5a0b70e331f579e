"""The command `bodypix`: one file per command, heavy imports inside the commands."""
