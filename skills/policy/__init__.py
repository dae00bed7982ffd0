"""The language-conditioned policy that serves every learned skill."""
