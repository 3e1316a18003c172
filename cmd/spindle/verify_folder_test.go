package main

import (
	"slices"
	"testing"
)

func TestByNumber(t *testing.T) {
	for _, test := range []struct {
		songs, want []string
		missing     []int
	}{
		{[]string{"x/2 b.flac", "x/01.wav"}, []string{"x/01.wav", "x/2 b.flac"}, nil},
		{[]string{"5.flac", "3.flac", "1.flac"}, []string{"1.flac", "3.flac", "5.flac"}, []int{2, 4}},
		{[]string{"1.flac", "01.flac"}, nil, nil},
		{[]string{"one.flac"}, nil, nil},
		{[]string{"0.flac"}, nil, nil},
		{[]string{"100.flac"}, nil, nil},
		{[]string{"99999999999999999999.flac"}, nil, nil},
	} {
		got, missing, err := byNumber(test.songs)
		if !slices.Equal(got, test.want) || !slices.Equal(missing, test.missing) || (err == nil) != (test.want != nil) {
			t.Errorf("%q: %q, %d, %v", test.songs, got, missing, err)
		}
	}
}
