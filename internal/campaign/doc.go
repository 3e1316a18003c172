// Package campaign lets every simulated drive that departs from the standard do
// every job, as tests: the result is right, or what is not right is said.
package campaign
