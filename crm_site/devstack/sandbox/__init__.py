"""A Messaging service to try with: its own process, its own file, an inbox to look into.

It speaks the same HTTP as the real service, answers with signed events as recipients would, and
can be told to fail in every way a network does. ``Sandbox(directory)`` starts one.
"""

from crm_site.devstack.sandbox.process import Sandbox, SandboxControl, SandboxError, command

__all__ = ["Sandbox", "SandboxControl", "SandboxError", "command"]
