# Install rules; find_package(parconv) in another project gives parconv::parconv.
