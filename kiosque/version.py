"""The version of the site and of the contract for gateways, said in this one place."""

VERSION = "0.3.0"
