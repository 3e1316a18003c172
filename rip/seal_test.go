package rip

import (
	"errors"
	"strings"
	"testing"

	"spindle/image/mapfile"
)

func TestDecodeSeal(t *testing.T) {
	sum := strings.Repeat("0a", 32)
	for text, want := range map[string]error{
		strings.TrimPrefix(encodeSeal(sum), sealComment): nil,
		`{"version":2,"sha256":"` + sum + `"}`:           ErrMapVersion,
		`{"sha256":"` + sum + `"}`:                       mapfile.ErrSyntax,
		`{"version":1,"sha256":"0a"}`:                    mapfile.ErrSyntax,
		`{"version":1`:                                   mapfile.ErrSyntax,
	} {
		if got, err := decodeSeal(text); !errors.Is(err, want) || want == nil && got != sum {
			t.Errorf("%s: %q, %v; want %v", text, got, err, want)
		}
	}
}
