"""Handle the calls about second factors: enrol, prove and remove them. (docs/contracts/factors.md section 11.)"""
