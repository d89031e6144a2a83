"""The guide: pages whose every number stands in the knowledge, and answers found in them."""
