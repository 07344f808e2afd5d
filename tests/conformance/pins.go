//go:build pins

package conformance

// The backends' image is built from this command; the import keeps its requirements in go.mod.
import _ "sigs.k8s.io/gateway-api/conformance/echo-basic"
