"""Files with a format: values to text and back, versioned, newer versions refused."""
