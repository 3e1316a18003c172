package main

import "path/filepath"

// fromFolder returns a function that gives a file its name as from the folder of another.
func fromFolder(beside string) func(string) string {
	return func(name string) string {
		to, err := filepath.Abs(name)
		if err != nil {
			return name
		}
		from, err := filepath.Abs(filepath.Dir(beside))
		if err != nil {
			return to
		}
		short, err := filepath.Rel(from, to)
		if err != nil {
			return to
		}
		return filepath.ToSlash(short)
	}
}

// toFolder undoes what fromFolder did.
func toFolder(beside string) func(string) string {
	return func(name string) string {
		name = filepath.FromSlash(name)
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(filepath.Dir(beside), name)
	}
}
