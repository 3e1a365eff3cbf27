// Package idset has what sets of ids need.
package idset

import (
	"context"
	"slices"
)

// Sorted returns a sorted copy of ids in which each is once. Nil stays nil.
func Sorted(ids []int64) []int64 {
	if ids == nil {
		return nil
	}
	out := slices.Clone(ids)
	slices.Sort(out)
	return slices.Compact(out)
}

// Index reads what the ids name and returns it by id. Zero, repeated and
// missing ids are left out; without an id it makes no query.
func Index[T any](ctx context.Context, getMany func(context.Context, []int64) ([]T, error), ids []int64, id func(T) int64) (map[int64]T, error) {
	ids = Sorted(ids)
	if len(ids) > 0 && ids[0] == 0 {
		ids = ids[1:]
	}
	m := make(map[int64]T, len(ids))
	if len(ids) == 0 {
		return m, nil
	}
	found, err := getMany(ctx, ids)
	for _, v := range found {
		m[id(v)] = v
	}
	return m, err
}
