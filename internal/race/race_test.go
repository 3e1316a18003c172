package main

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestNamed(t *testing.T) {
	for said, want := range map[string][]int{
		"Sectors 100-103: read error\n":                {100, 101, 102, 103},
		"Sector 7: read error\nsectors 9-9: missing\n": {7, 9},
		"Error on sector 12 not corrected\n":           {12},
		"##: 0 [skip] @ 2352\n":                        {2},
		"sector 5: L-EC error":                         {5},
		"Reading sectors 1-100\n":                      nil,
	} {
		if got := slices.Sorted(maps.Keys(named([]byte(said)))); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", said, got, want)
		}
	}
}

// A program that did not run has no row, and is not ahead of a disc of which some is damaged.
func TestCheckRows(t *testing.T) {
	const spindle = "race\tdvd-x\tspindle rip\t100\t90\t0\t10 20 300 4.5\t0.9000\t\n"
	for name, test := range map[string]struct {
		rows string
		want error
	}{
		"alone":  {spindle, nil},
		"behind": {spindle + "race\tdvd-x\tddrescue -d\t100\t91\t0\t10 20 300 4.5\t0.9100\t\n", errBehind},
		"ahead":  {spindle + "race\tdvd-x\tddrescue -d\t100\t90\t0\t10 20 300 4.5\t0.9000\t\n", nil},
	} {
		path := filepath.Join(t.TempDir(), "rows")
		if err := os.WriteFile(path, []byte(test.rows), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := checkRows([]string{path}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
