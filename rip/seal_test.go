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
		strings.TrimPrefix(seal{Image: sum}.encode(), sealComment): nil,
		`{"version":1,"sha256":"` + sum + `","sub_sha256":"0a"}`:   mapfile.ErrSyntax,
		`{"version":1,"sub_sha256":"` + sum + `"}`:                 mapfile.ErrSyntax,
		`{"version":2,"sha256":"` + sum + `"}`:                     ErrMapVersion,
		`{"sha256":"` + sum + `"}`:                                 mapfile.ErrSyntax,
		`{"version":1,"sha256":"0a"}`:                              mapfile.ErrSyntax,
		`{"version":1`:                                             mapfile.ErrSyntax,
	} {
		if got, err := decodeSeal(text); !errors.Is(err, want) || want == nil && got != (seal{Image: sum}) {
			t.Errorf("%s: %q, %v; want %v", text, got, err, want)
		}
	}
}
