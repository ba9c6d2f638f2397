-- Two databases a survey: all alerts, and the same names restricted to what is public.
CREATE DATABASE IF NOT EXISTS {survey} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE DATABASE IF NOT EXISTS {survey}_public CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
