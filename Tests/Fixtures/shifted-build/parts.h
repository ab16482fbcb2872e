double part1(double value);
double part2(double value);
double part3(double value);
double part4(double value);
double part5(double value);
double part6(double value);
