//go:build !linux

package main

import "errors"

func attach([]string) error { return errors.New("drives can be attached on Linux only") }
