"""The loop: prompt, model, tools, answer."""
