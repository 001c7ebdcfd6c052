# VERSION=0.2.0 REVISION=$(git rev-parse HEAD) docker buildx bake -f deploy/image/docker-bake.hcl
# Both processors, with a bill of materials and provenance from the builder; --push sends it where TAG says.

variable "VERSION" { default = "0.0.0" }
variable "REVISION" { default = "unknown" }
variable "TAG" { default = "gatehouse" }

target "default" {
  context = "."
  platforms = ["linux/amd64", "linux/arm64"]
  tags = ["${TAG}:${VERSION}"]
  args = {
    VERSION = VERSION
    REVISION = REVISION
  }
  attest = ["type=sbom", "type=provenance,mode=max"]
}
