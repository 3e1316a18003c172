package main

import (
	"testing"

	"spindle/scsi/sim"
)

// Each trait has its words, and there are no words for others.
func TestTraitWords(t *testing.T) {
	all := sim.Traits()
	for _, u := range all {
		if traitWords[u.Name] == "" {
			t.Errorf("%s has no words", u.Name)
		}
	}
	if len(traitWords) != len(all) {
		t.Errorf("words for %d traits, and there are %d", len(traitWords), len(all))
	}
}
