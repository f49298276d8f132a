"""The OpenAI protocol: the same runs as the native API, for any OpenAI client."""
