package main

import (
	"slices"
	"testing"
)

func TestByNumber(t *testing.T) {
	for _, test := range []struct{ songs, want []string }{
		{[]string{"x/2 b.flac", "x/01.wav"}, []string{"x/01.wav", "x/2 b.flac"}},
		{[]string{"2.flac", "3.flac"}, nil},
		{[]string{"1.flac", "01.flac"}, nil},
		{[]string{"one.flac"}, nil},
		{[]string{"0.flac"}, nil},
		{[]string{"99999999999999999999.flac"}, nil},
	} {
		if got, err := byNumber(test.songs); !slices.Equal(got, test.want) || (err == nil) != (test.want != nil) {
			t.Errorf("%q: %q, %v", test.songs, got, err)
		}
	}
}
