"""The one place that joins the core to its adapters: files, database, providers, simulator, clock."""
