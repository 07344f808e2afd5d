// Package conformance builds the official conformance suite of the Gateway API; README.md tells how it is run.
package conformance

import (
	"encoding/json"
	"os"
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
)

func TestConformance(t *testing.T) { conformance.RunConformance(t) }

type listedTest struct {
	Name     string                 `json:"name"`
	Features []features.FeatureName `json:"features"`
}

type listedProfile struct {
	Name     string                 `json:"name"`
	Core     []features.FeatureName `json:"core"`
	Extended []features.FeatureName `json:"extended"`
}

// TestList writes what the suite has into the file that TEST_LIST names: by it the report of a run is judged.
func TestList(t *testing.T) {
	file := os.Getenv("TEST_LIST")
	if file == "" {
		t.Skip("TEST_LIST names no file")
	}
	var list struct {
		Profiles []listedProfile `json:"profiles"`
		Tests    []listedTest    `json:"tests"`
	}
	for _, profile := range []suite.ConformanceProfile{suite.GatewayHTTPConformanceProfile, suite.GatewayTLSConformanceProfile} {
		list.Profiles = append(list.Profiles, listedProfile{
			Name:     string(profile.Name),
			Core:     profile.CoreFeatures.UnsortedList(),
			Extended: profile.ExtendedFeatures.UnsortedList(),
		})
	}
	for _, test := range tests.ConformanceTests {
		list.Tests = append(list.Tests, listedTest{test.ShortName, test.Features})
	}
	text, err := json.Marshal(list)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
