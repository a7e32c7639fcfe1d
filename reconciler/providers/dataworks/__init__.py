"""Alibaba Cloud DataWorks: backfills through API 2020-05-18, manual flows through API 2018-06-01."""
