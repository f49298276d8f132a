"""LangGraph's server protocol, version 1: what `langgraph-sdk` and agent-chat-ui speak, over our runs and threads."""
