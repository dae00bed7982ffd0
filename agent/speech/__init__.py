"""From sound to words that may become a command, and back; and the word that stops."""
