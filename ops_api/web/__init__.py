"""Between HTTP and the commands: reading requests, rights, answers, problems, headers."""
