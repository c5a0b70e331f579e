"""Pictures with labels, whatever their source, as one sample type."""
