"""DataArts Studio (Huawei Cloud): backfills of Factory jobs, and gates on job instances."""
