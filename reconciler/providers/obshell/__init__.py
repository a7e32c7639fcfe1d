"""OceanBase's OBShell agent, whose maintenance tasks gates look at. Only reads are sent."""
