"""Adapters to orchestrators: each speaks one vendor's API and knows nothing of deciding or state."""
