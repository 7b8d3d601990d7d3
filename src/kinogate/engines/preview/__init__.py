"""The built-in preview engine: flat-illustration films on any CPU, no weights, no network.

It is algorithmic and says so in its metadata: what it shows is an animatic of the request, not the
output of a Wan model.
"""
