"""Property tests here have no deadline: machines that run them may be busy with servers."""

from hypothesis import settings

settings.register_profile("ates", deadline=None)
settings.load_profile("ates")
