"""The errors a user can meet. Each message is one sentence: what happened and what to do."""


class ClipdemoError(Exception):
    """Base of every error whose message may be shown to a user as it is."""


class PhotoError(ClipdemoError):
    """A photo that cannot be read, or must not be."""


class LabelError(ClipdemoError):
    """Labels that cannot be looked for."""


class TableError(ClipdemoError):
    """A label table that cannot be read."""


class CheckpointError(ClipdemoError):
    """A checkpoint that is damaged or does not fit its backbone."""


class BackboneError(ClipdemoError):
    """A backbone that cannot be found, loaded or run."""


class CaptionerError(ClipdemoError):
    """A captioner that cannot be found, loaded or run."""


class DownloadError(ClipdemoError):
    """A file that cannot be downloaded, or not whole."""
