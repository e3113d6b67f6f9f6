/// Tells the thread sanitizer of locks that it does not see; nothing in other builds.
#pragma once

void ntk_lock_taken(const void *lock);
void ntk_lock_given_back(const void *lock);
