"""DataArts Studio of Huawei Cloud: catalog, Factory v2, Factory v1 (the DGC client), and a little IAM.

Written from the field names, paths and signatures of `huaweicloudsdkdataartsstudio` and
`huaweicloudsdkdgc` 3.1.219, Huawei's public documentation, and findings that a third party published
from live accounts ("field report").

    service, routes, call            gateway, table of operations, what an operation is given
    signatures, iam                  SDK-HMAC-SHA256; tokens and projects
    parameters, times                values of query and body; plan days and moments
    runs, transitions                PatchData and manual runs, and the rules by which they move (pure)
    jobs, scheduled                  jobs of the world, and the scheduled runs that follow from it (pure)
    records, history                 runs in the database; what of them can be seen now
    creating, patch_data             executes creates; PatchData calls
    instances, acting, rows          instances: finding, stopping and repeating, writing
    listing, catalog                 calls that list jobs and instances; the catalog's two calls
"""
