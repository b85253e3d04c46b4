"""What comes over the API: questions, runs that can be asked for later, stored sessions, texts to be sent."""
