"""What is wrong with the installation, each trouble recorded once and told once."""
