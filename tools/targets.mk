# Targets that first install what they need.
