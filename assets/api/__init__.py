"""The registry over REST: thin views over the services, one module a kind of thing."""
