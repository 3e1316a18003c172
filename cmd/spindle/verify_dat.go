package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"spindle/check"
	"spindle/internal/regular"
)

func isDATFile(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return !isDriveName(path) && (ext == ".dat" || ext == ".xml")
}

func (v *verification) withDAT() error {
	if v.o.noHashes {
		return usage("a DAT file is compared by hashes: leave out --no-hashes")
	}
	f, err := regular.Open(v.o.with)
	if err != nil {
		return err
	}
	defer f.Close()
	v.match, err = check.FindGame(f, v.rep)
	if err != nil {
		return fmt.Errorf("%s: %w", v.o.with, err)
	}
	v.Game, v.lookedUp = v.match.Name, true
	switch {
	case v.Game != "":
		v.judged = true
	case v.match.Near != "":
		v.judged = true
		v.wrong()
	}
	return nil
}
