// Package conformance builds the official conformance suite of the Gateway API; README.md tells how it is run.
package conformance

import (
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
)

func TestConformance(t *testing.T) { conformance.RunConformance(t) }
